import { Alert, Card, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** The one narrow card of the pages before the login. */
export function Panel({ title, intro, error, children }: { title: string; intro?: string; error?: Error | null; children: ReactNode }) {
  return (
    <Card withBorder p="xl" maw={420} w="100%" mx="auto" mt={{ base: 'xs', sm: '5vh' }}>
      <Stack>
        <Stack gap={2}>
          <Title order={1} size="h2">
            {title}
          </Title>
          {intro && <Text c="dimmed">{intro}</Text>}
        </Stack>
        {error && (
          <Alert color="red" variant="outline" role="alert">
            {error.message}
          </Alert>
        )}
        {children}
      </Stack>
    </Card>
  )
}
