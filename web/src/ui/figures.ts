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
  const cents = new Intl.NumberFormat(i18n.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const amount = (quota: number) => `$${cents.format(quota / perUnit)}`
  return {
    amount,
    quota: (quota: number) => (status?.display_in_currency ? amount(quota) : short.format(quota)),
    count: (n: number) => whole.format(n),
    decimal: (n: number) => cents.format(n),
    time: (seconds: number) => moment.format(seconds * 1000),
  }
}
