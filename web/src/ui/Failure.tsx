import { Alert, Button, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'

export function Failure({ error, retry }: { error: Error; retry: () => unknown }) {
  const { t } = useTranslation()
  return (
    <Alert color="red" variant="outline" title={t('app.broken')} role="alert">
      <Stack align="flex-start" gap="sm">
        {error.message}
        <Button variant="default" size="xs" onClick={() => void retry()}>
          {t('app.retry')}
        </Button>
      </Stack>
    </Alert>
  )
}
