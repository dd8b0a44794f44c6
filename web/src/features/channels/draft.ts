import type { Channel } from '../../api/types'
import type { ChannelDraft, ModelsOfTypes } from './api'
import { names } from './filters'
import { parseObject, readMapping, writeMapping, type Mapping } from './mapping'
import { composedKey, typeOf, type ConfigField } from './types'

/** A channel as its form holds it. */
export interface Values {
  type: string
  name: string
  groups: string[]
  baseUrl: string
  key: string
  models: string[]
  mapping: Mapping
  prompt: string
  priority: number | string // '' while the field is empty
  weight: number | string
  config: Partial<Record<ConfigField, string>>
  proxy: string
  /** '' for one key a channel. */
  keyChoice: string
  /** JSON texts, and seconds, of the channel's parameters. */
  headers: string
  body: string
  testModel: string
  timeouts: Partial<Record<Timeout, number | string>>
}

export const timeouts = ['connect', 'first_byte', 'idle', 'total'] as const
export type Timeout = (typeof timeouts)[number]

/** A new channel begins as one of OpenAI's, with the models that are known of it. */
export function values(channel: Channel | null, known: ModelsOfTypes): Values {
  const parameters = parseObject(channel?.parameters ?? '') ?? {}
  const type = String(channel?.type ?? 1)
  const config = texts(parseObject(channel?.config ?? '') ?? {})
  return {
    type,
    name: channel?.name ?? '',
    groups: channel ? names(channel.group) : ['default'],
    baseUrl: channel?.base_url ?? '',
    key: '',
    models: channel ? names(channel.models) : (known[type] ?? []),
    mapping: readMapping(channel?.model_mapping ?? ''),
    prompt: channel?.system_prompt ?? '',
    priority: channel?.priority ?? 0,
    weight: channel?.weight ?? 0,
    config,
    proxy: config.proxy ?? '',
    keyChoice: channel?.key_choice ?? '',
    headers: json(parameters.headers),
    body: json(parameters.body),
    testModel: typeof parameters.test_model === 'string' ? parameters.test_model : '',
    timeouts: (parameters.timeouts ?? {}),
  }
}

export function draft(entered: Values): ChannelDraft {
  const type = typeOf(Number(entered.type))
  const told = { ...entered.config, proxy: entered.proxy.trim() }
  const config = Object.fromEntries(Object.entries(told).filter(([, value]) => value))
  const parts = (type?.config ?? []).map((field) => entered.config[field] ?? '')
  // A key with a part missing is none; an empty one keeps what is stored.
  const key = !composedKey(type) ? entered.key : parts.every(Boolean) ? parts.join('|') : ''
  return {
    type: Number(entered.type),
    name: entered.name.trim(),
    group: entered.groups.join(','),
    base_url: entered.baseUrl.trim().replace(/\/+$/, ''),
    key: key.trim(),
    models: entered.models.join(','),
    model_mapping: writeMapping(entered.mapping),
    system_prompt: entered.prompt,
    priority: Number(entered.priority) || 0,
    weight: Number(entered.weight) || 0,
    config: JSON.stringify(config),
    key_choice: entered.keyChoice,
    parameters: written(entered),
  }
}

/** '' where nothing is said: that is most channels. */
function written({ headers, body, testModel, timeouts: limits }: Values): string {
  const seconds = Object.fromEntries(
    Object.entries(limits)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, Number(value)]),
  )
  const found = {
    ...(headers.trim() && { headers: parseObject(headers) }),
    ...(body.trim() && { body: parseObject(body) }),
    ...(Object.keys(seconds).length && { timeouts: seconds }),
    ...(testModel.trim() && { test_model: testModel.trim() }),
  }
  return Object.keys(found).length ? JSON.stringify(found) : ''
}

const json = (value: unknown) => (value ? JSON.stringify(value, null, 2) : '')

/** The gateway reads true and false as these words. */
const texts = (config: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, typeof value === 'boolean' ? String(value) : value]),
  ) as Record<string, string>
