import { useTranslation } from 'react-i18next'

import { useStatus } from '../app/session'

/** Quota as One API shows it: money where the operator wants it, else shortened units. */
export function useFigures() {
  const { i18n } = useTranslation()
  const status = useStatus().data
  const perUnit = status?.quota_per_unit ?? 500_000
  const short = new Intl.NumberFormat(i18n.language, { notation: 'compact', maximumFractionDigits: 1 })
  const whole = new Intl.NumberFormat(i18n.language)
  const moment = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short' })
  return {
    amount: (quota: number) => `$${(quota / perUnit).toFixed(2)}`,
    quota: (quota: number) => (status?.display_in_currency ? `$${(quota / perUnit).toFixed(2)}` : short.format(quota)),
    count: (n: number) => whole.format(n),
    time: (seconds: number) => moment.format(seconds * 1000),
  }
}
