import { Card, Stack, Text } from '@mantine/core'
import { IconInbox, IconSearchOff } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface Props {
  text: string
  /** Whether there may be more without what was looked for. */
  sought?: boolean
  /** What to do about it. */
  children?: ReactNode
}

/** What stands where a list would be. */
export function Empty({ text, sought = false, children }: Props) {
  const Icon = sought ? IconSearchOff : IconInbox
  return (
    <Card withBorder p="xl">
      <Stack align="center" gap="sm" py="md">
        <Icon size={32} stroke={1.5} color="var(--mantine-color-dimmed)" aria-hidden />
        <Text ta="center" c="dimmed">
          {text}
        </Text>
        {children}
      </Stack>
    </Card>
  )
}
