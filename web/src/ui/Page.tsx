import { Group, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface Props {
  title: string
  intro?: string
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, intro, actions, children }: Props) {
  return (
    <Stack gap="lg" maw={1180} w="100%" mx="auto" flex={1}>
      <Group justify="space-between" align="flex-end">
        <Stack gap={2}>
          <Title order={1} size="h2">
            {title}
          </Title>
          {intro && <Text c="dimmed">{intro}</Text>}
        </Stack>
        {actions}
      </Group>
      {children}
    </Stack>
  )
}
