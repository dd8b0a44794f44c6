import { Card, Group, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** Names and values in a card. */
export function Facts({ title, facts }: { title: string; facts: (readonly [string, ReactNode])[] }) {
  return (
    <Card withBorder p="lg">
      <Title order={2} size="h4" mb="md">
        {title}
      </Title>
      <Stack gap="xs" component="dl" m={0}>
        {facts.map(([name, value]) => (
          <Group key={name} justify="space-between" align="baseline" gap="4px 16px">
            <Text component="dt" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} ml="auto" ta="right" style={{ overflowWrap: 'anywhere' }}>
              {value}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}
