import { expect, test } from 'vitest'
import { tabs } from './sections'

test('an option stands in one place', () => {
  const placed = Object.values(tabs).flatMap((sections) => Object.values<readonly string[]>(sections).flat())
  expect(placed).toHaveLength(new Set(placed).size)
})
