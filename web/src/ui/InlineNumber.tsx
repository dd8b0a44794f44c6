import { NumberInput } from '@mantine/core'
import { useState } from 'react'

interface Props {
  label: string
  value: number
  min?: number
  onSave: (value: number) => void
}

/** A number in a table that is saved when it is left, or with Enter. Escape takes back what was typed. */
export function InlineNumber({ label, value, min, onSave }: Props) {
  const [typed, setTyped] = useState<number | string>(value)
  const [before, setBefore] = useState(value)
  if (before !== value) {
    setBefore(value)
    setTyped(value)
  }
  const save = () => {
    if (typed === '') setTyped(value)
    else if (Number(typed) !== value) onSave(Number(typed))
  }
  return (
    <NumberInput
      aria-label={label}
      size="xs"
      w={72}
      hideControls
      allowDecimal={false}
      min={min}
      value={typed}
      onChange={setTyped}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur()
        if (event.key === 'Escape') setTyped(value)
      }}
    />
  )
}
