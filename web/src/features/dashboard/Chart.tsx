import '@mantine/charts/styles.css'

import { BarChart } from '@mantine/charts'
import { useTranslation } from 'react-i18next'

import type { Bar } from '../../api/types'
import { lastDays, OTHERS, stack, type Metric } from './sums'

/** Told apart also by those who see few colours: light and dark take turns. */
const colours = ['indigo.7', 'cyan.4', 'grape.7', 'teal.5', 'orange.8', 'blue.4', 'pink.7', 'lime.5'] as const

interface Props {
  bars: Bar[]
  metric: Metric
  days: number
  format: (value: number) => string
}

/** By day, each model a part of the day's bar. */
export default function Chart({ bars, metric, days, format }: Props) {
  const { t, i18n } = useTranslation()
  const { names, rows } = stack(bars, metric, lastDays(days), colours.length)
  const short = new Intl.DateTimeFormat(i18n.language, { month: 'short', day: 'numeric', timeZone: 'UTC' })
  return (
    <BarChart
      h={280}
      data={rows.map((row) => ({ ...row, day: short.format(new Date(`${row.day}T00:00:00Z`)) }))}
      dataKey="day"
      type="stacked"
      series={names.map((name, n) => ({
        name,
        label: name === OTHERS ? t('dashboard.others') : name || t('dashboard.unnamed'),
        color: name === OTHERS ? 'gray.5' : colours[n],
      }))}
      withLegend={names.length > 1}
      legendProps={{ verticalAlign: 'bottom' }}
      valueFormatter={format}
      yAxisProps={{ width: 72 }}
      maxBarWidth={44}
      tickLine="none"
      barChartProps={{ accessibilityLayer: false }}
    />
  )
}
