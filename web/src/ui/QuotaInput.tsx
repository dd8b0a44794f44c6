import { NumberInput, type NumberInputProps } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { useFigures } from './figures'

/** Units of quota, and what they are worth. */
export function QuotaInput(props: NumberInputProps) {
  const { t } = useTranslation()
  const figures = useFigures()
  return (
    <NumberInput
      description={t('common.worth', { amount: figures.amount(Number(props.value) || 0) })}
      allowDecimal={false}
      thousandSeparator=","
      step={100_000}
      {...props}
    />
  )
}
