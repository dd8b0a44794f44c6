import { Alert, Button, Code, Group, Select, Stack, Text } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { Dialog } from '../../ui/Dialog'
import { useFigures } from '../../ui/figures'
import { Waiting } from '../../ui/Waiting'
import { useTest } from './api'
import { names } from './filters'

/** Asks one of the channel's models something, at once and again, and shows what came back. */
export function TestDialog({ channel, close }: { channel: Channel; close: () => void }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const [model, setModel] = useState<string | null>(null)
  const { mutate, data, isPending, error } = useTest()
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    mutate({ id: channel.id })
  }, [mutate, channel.id])
  return (
    <Dialog opened onClose={close} title={t('channels.testOf', { name: channel.name })} size="lg">
      <Stack>
        <Group align="flex-end">
          <Select
            flex={1}
            label={t('channels.model')}
            placeholder={t('channels.testDefault')}
            data={names(channel.models)}
            searchable
            clearable
            limit={200}
            value={model}
            onChange={setModel}
          />
          <Button loading={isPending} onClick={() => mutate({ id: channel.id, model: model ?? '' })}>
            {t('channels.testAgain')}
          </Button>
        </Group>
        <div aria-live="polite">
          {isPending && <Waiting />}
          {error && (
            <Alert color="red" variant="outline">
              {error.message}
            </Alert>
          )}
          {data && (
            <Alert
              color={data.passed ? 'teal' : 'red'}
              variant="outline"
              title={
                data.passed
                  ? t('channels.testPassed', { time: figures.duration(data.seconds * 1000) })
                  : t('channels.testFailed')
              }
            >
              <Text size="sm" mb={4}>
                {t(data.passed ? 'channels.testAnswer' : 'channels.cause')}
              </Text>
              <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} mah={260} tabIndex={0}>
                {data.text || '–'}
              </Code>
            </Alert>
          )}
        </div>
      </Stack>
    </Dialog>
  )
}
