import { useTranslation } from 'react-i18next'

import type { OptionKey } from '../../api/types'
import type { Option } from './api'
import { readRatios } from './ratios'

const addresses: ReadonlySet<OptionKey> = new Set<OptionKey>([
  'ServerAddress',
  'TopUpLink',
  'OidcWellKnown',
  'OidcAuthorizationEndpoint',
  'OidcTokenEndpoint',
  'OidcUserinfoEndpoint',
  'WeChatServerAddress',
  'WeChatAccountQRCodeImageURL',
  'MessagePusherAddress',
])

/** Why a value cannot be saved, as far as the gateway's description of the option tells. */
export function useFault() {
  const { t } = useTranslation()
  return (option: Option, value: string): string | undefined => {
    const bounded = (number: number) => {
      if (option.positive && number <= 0) return t('settings.faults.positive')
      if (option.least !== null && number < option.least) return t('settings.faults.least', { least: option.least })
      return undefined
    }
    switch (option.kind) {
      case 'integer':
        return /^[+-]?\d{1,18}$/.test(value) ? bounded(Number(value)) : t('settings.faults.integer')
      case 'number':
        return value !== '' && Number.isFinite(Number(value)) ? bounded(Number(value)) : t('settings.faults.number')
      case 'ratios':
        return readRatios(value) ? undefined : t('settings.faults.ratios')
      case 'text':
        return addresses.has(option.key) && value !== '' && !/^https?:\/\/\S+$/.test(value)
          ? t('settings.faults.address')
          : undefined
      default:
        return undefined
    }
  }
}
