import type { Channel } from '../../api/types'
import type { ChannelDraft } from './api'
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
}

export function values(channel: Channel | null): Values {
  return {
    type: String(channel?.type ?? 1),
    name: channel?.name ?? '',
    groups: channel ? names(channel.group) : ['default'],
    baseUrl: channel?.base_url ?? '',
    key: '',
    models: channel ? names(channel.models) : [],
    mapping: readMapping(channel?.model_mapping ?? ''),
    prompt: channel?.system_prompt ?? '',
    priority: channel?.priority ?? 0,
    weight: channel?.weight ?? 0,
    config: texts(parseObject(channel?.config ?? '') ?? {}),
  }
}

export function draft(entered: Values): ChannelDraft {
  const type = typeOf(Number(entered.type))
  const config = Object.fromEntries(Object.entries(entered.config).filter(([, value]) => value))
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
  }
}

/** The gateway reads true and false as these words. */
const texts = (config: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, typeof value === 'boolean' ? String(value) : value]),
  ) as Record<string, string>
