import { useTranslation } from 'react-i18next'

import type { ChannelType as Provider } from '../../api/types'
import { useProviders } from './api'

/** What the form of a channel type needs beyond the gateway's own catalogue, in the order of One API's menu. */
export interface ChannelType {
  id: number
  en?: string // the catalogue's names are One API's, some of them Chinese
  key?: string // the form of keys with parts
  config?: readonly ConfigField[]
}

/** Settings of a few types, stored as JSON in the channel's `config`. */
export type ConfigField =
  | 'region'
  | 'ak'
  | 'sk'
  | 'user_id'
  | 'api_version'
  | 'library_id'
  | 'plugin'
  | 'vertex_ai_project_id'
  | 'vertex_ai_adc'
  | 'responses'
  | 'kept_responses'
  | 'proxy'

/** What speaks OpenAI's Responses API, or may. */
const responses = ['responses', 'kept_responses'] as const

/** Serves whatever it is sent: it has no models of its own. */
export const PROXY = 43

/** Types that are nothing without an address of their own. */
export const needsBase = (id: number) => id === 3 || id === 8 || id === 50

/** Types whose key is made of their settings. */
export const composedKey = (type: ChannelType | undefined) => type?.id === 33 || type?.id === 42

export const channelTypes: readonly ChannelType[] = [
  { id: 1, config: responses },
  { id: 50, en: 'OpenAI compatible', config: responses },
  { id: 14 },
  { id: 33, config: ['region', 'ak', 'sk'] },
  { id: 3, config: ['api_version', ...responses] },
  { id: 11 },
  { id: 24, config: ['api_version'] },
  { id: 51 },
  { id: 28 },
  { id: 41 },
  { id: 40, en: 'Volcengine (Doubao)', config: responses },
  { id: 15, en: 'Baidu ERNIE', key: 'APIKey|SecretKey' },
  { id: 47, en: 'Baidu Qianfan V2' },
  { id: 17, en: 'Alibaba Tongyi Qianwen', config: ['plugin'] },
  { id: 49, en: 'Alibaba Cloud Bailian', config: responses },
  { id: 18, en: 'iFlytek Spark', key: 'APPID|APISecret|APIKey', config: ['api_version'] },
  { id: 48, en: 'iFlytek Spark V2' },
  { id: 16, en: 'Zhipu ChatGLM', key: 'id.secret' },
  { id: 19, en: '360 Zhinao' },
  { id: 25 },
  { id: 23, en: 'Tencent Hunyuan', key: 'AppId|SecretId|SecretKey' },
  { id: 26, en: 'Baichuan' },
  { id: 27 },
  { id: 29 },
  { id: 30 },
  { id: 31, en: '01.AI' },
  { id: 32, en: 'StepFun' },
  { id: 34, config: ['user_id'] },
  { id: 35 },
  { id: 36 },
  { id: 37, config: ['user_id'] },
  { id: 38 },
  { id: 39 },
  { id: 42, config: ['region', 'vertex_ai_project_id', 'vertex_ai_adc'] },
  { id: 43 },
  { id: 44 },
  { id: 45 },
  { id: 46 },
  { id: 8, en: 'Custom', config: responses },
  { id: 22, en: 'Knowledge base: FastGPT', key: 'APIKey-AppId' },
  { id: 21, en: 'Knowledge base: AI Proxy', config: ['library_id'] },
  { id: 20 },
  { id: 2, en: 'Proxy: API2D' },
  { id: 5, en: 'Proxy: OpenAI-SB' },
  { id: 7, en: 'Proxy: OhMyGPT' },
  { id: 10, en: 'Proxy: AI Proxy' },
  { id: 4, en: 'Proxy: CloseAI' },
  { id: 6, en: 'Proxy: OpenAI Max' },
  { id: 9, en: 'Proxy: AI.LS' },
  { id: 12, en: 'Proxy: API2GPT' },
  { id: 13, en: 'Proxy: AIGC2D' },
]

const place = (id: number) => {
  const found = channelTypes.findIndex((type) => type.id === id)
  return found < 0 ? channelTypes.length : found
}

export const typeOf = (id: number) => channelTypes.find((type) => type.id === id)

/** All types there are to choose, named in the language of the page; new ones of the catalogue come last. */
export function useChannelTypes() {
  const { i18n } = useTranslation()
  const chinese = i18n.language.startsWith('zh')
  const rows = useProviders().data ?? []
  const label = ({ id, name }: Provider) => (!chinese && typeOf(id)?.en) || name
  return {
    all: [...rows]
      .sort((a, b) => place(a.id) - place(b.id) || a.id - b.id)
      .map((row) => ({ value: String(row.id), label: label(row) })),
    base: (id: number) => rows.find((row) => row.id === id)?.base_url ?? '',
    name: (id: number) => {
      const row = rows.find((one) => one.id === id)
      return row ? label(row) : String(id)
    },
  }
}
