import { expect, test } from 'vitest'

import { matching } from '../features/channels/filters'
import { causeOf } from '../features/channels/states'
import { parsePrice } from '../features/logs/price'
import { dollars } from './money'
import { duration, fromLocal, toLocal } from './time'

test.each([
  [0, '$0.00'],
  [1234.5, '$1,234.50'],
  [0.01, '$0.01'],
  [0.00048, '$0.00048'],
  [0.000008123, '$0.0000081'],
])('%f dollars are %s', (value, said) => expect(dollars(value, 'en')).toBe(said))

test.each([
  [0, '0 ms'],
  [99, '99 ms'],
  [100, '0.1 s'],
  [1234, '1.23 s'],
  [61_260, '61.3 s'],
])('%d ms are told as %s', (ms, said) => expect(duration(ms, 'en')).toBe(said))

test('a time goes into a field and comes back', () => {
  const minute = 1_795_777_380
  expect(fromLocal(toLocal(minute))).toBe(minute)
  expect(fromLocal('')).toBeUndefined()
})

test.each([
  ["bad key: status 401, type '', code ''", 'key'],
  ['no balance: status 402', 'balance'],
  ['2 of its last 10 calls succeeded', 'failing'],
  ['a test took 7000 ms', 'slow'],
  ['something else', 'other'],
])('%s is told as %s', (said, kind) => expect(causeOf(said)).toBe(kind))

test('a row tells its price', () => {
  expect(parsePrice('倍率：1.50 × 1.00 × 2.00，缓存 0.50')).toEqual({
    model: 1.5,
    group: 1,
    completion: 2,
    kinds: [{ name: '缓存', ratio: 0.5 }],
  })
  expect(parsePrice('登录成功')).toBeNull()
})

test('channels are found by group, model, status and name', () => {
  const channel = (id: number, more: object) =>
    ({ id, name: `c${id}`, type: 1, status: 1, group: 'default', models: 'a,b', ...more }) as Parameters<typeof matching>[0][number]
  const all = [channel(1, {}), channel(2, { group: 'default,vip', models: 'b' }), channel(3, { status: 2, name: 'backup' })]
  const found = (filters: Parameters<typeof matching>[1]) => matching(all, filters).map(({ id }) => id).sort()
  expect(found({})).toEqual([1, 2, 3])
  expect(found({ group: 'vip' })).toEqual([2])
  expect(found({ model: 'a' })).toEqual([1, 3])
  expect(found({ status: 2 })).toEqual([3])
})
