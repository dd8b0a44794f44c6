import { Box, Group, Stack, Text } from '@mantine/core'

import classes from './Ranking.module.css'

interface Props {
  rows: { name: string; value: number; hint?: string }[]
  format: (value: number) => string
}

/** Names with a bar each; the largest is the whole width. */
export function Ranking({ rows, format }: Props) {
  const largest = Math.max(1, ...rows.map((row) => row.value))
  return (
    <Stack component="ol" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
      {rows.map(({ name, value, hint }) => (
        <li key={name}>
          <Group justify="space-between" wrap="nowrap" gap="sm" align="baseline">
            <Text size="sm" truncate title={name}>
              {name}
            </Text>
            <Text size="sm" fw={500} style={{ whiteSpace: 'nowrap' }} title={hint}>
              {format(value)}
            </Text>
          </Group>
          <Box className={classes.track} aria-hidden>
            <Box className={classes.bar} style={{ width: `${(value / largest) * 100}%` }} />
          </Box>
        </li>
      ))}
    </Stack>
  )
}
