import { useTranslation } from 'react-i18next'

import { useStatus } from '../app/session'
import { localeOf } from '../i18n'
import { dollars } from './money'
import { duration } from './time'

/** Quota as One API shows it: money where the operator wants it, else shortened units. */
export function useFigures() {
  const { i18n } = useTranslation()
  const status = useStatus().data
  const perUnit = status?.quota_per_unit ?? 500_000
  const inMoney = status?.display_in_currency ?? true
  const language = localeOf(i18n.language)
  const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const whole = new Intl.NumberFormat(language)
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  const second = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' })
  const cents = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const micros = new Intl.NumberFormat(language, { minimumFractionDigits: 6, maximumFractionDigits: 6 })
  const amount = (quota: number) => dollars(quota / perUnit, language)
  return {
    perUnit,
    inMoney,
    amount,
    quota: (quota: number) => (inMoney ? amount(quota) : short.format(quota)),
    /** Millions shortened, where there is no room for all digits. */
    brief: (quota: number) =>
      inMoney && quota / perUnit < 1e6 ? amount(quota) : `${inMoney ? '$' : ''}${short.format(inMoney ? quota / perUnit : quota)}`,
    /** What a single call cost, which may be far below a cent. */
    exact: (quota: number) => (inMoney ? `$${micros.format(quota / perUnit)}` : whole.format(quota)),
    count: (n: number) => whole.format(n),
    short: (n: number) => short.format(n),
    decimal: (n: number) => cents.format(n),
    duration: (ms: number) => duration(ms, language),
    time: (seconds: number) => moment.format(seconds * 1000),
    second: (seconds: number) => second.format(seconds * 1000),
  }
}
