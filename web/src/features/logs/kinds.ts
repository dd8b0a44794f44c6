/** Types of log rows, by their number. */
export const kinds = [
  { key: 'unknown', color: 'gray' },
  { key: 'topup', color: 'teal' },
  { key: 'consume', color: 'blue' },
  { key: 'manage', color: 'orange' },
  { key: 'system', color: 'grape' },
  { key: 'test', color: 'gray' },
] as const

export const CONSUME = 2
