import { Accordion, Autocomplete, NumberInput, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core'
import type { UseFormReturnType } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import { timeouts, type Values } from './draft'

const mono = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } }

/** What few channels need: a proxy, time limits, headers and fields of their own. */
export function Parameters({ form }: { form: UseFormReturnType<Values> }) {
  const { t } = useTranslation()
  const { proxy, headers, body, testModel, timeouts: limits, models } = form.getValues()
  const said = Boolean(proxy || headers || body || testModel || Object.keys(limits).length)
  return (
    <Accordion variant="contained" defaultValue={said ? 'parameters' : null} order={2}>
      <Accordion.Item value="parameters">
        <Accordion.Control>{t('channels.parameters')}</Accordion.Control>
        <Accordion.Panel>
          <Stack>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput
                label={t('channels.proxy')}
                description={t('channels.proxyHint')}
                autoComplete="off"
                {...form.getInputProps('proxy')}
              />
              <Autocomplete
                label={t('channels.testModel')}
                description={t('channels.testModelHint')}
                data={[...new Set(models)]}
                limit={100}
                {...form.getInputProps('testModel')}
              />
            </SimpleGrid>
            <SimpleGrid cols={{ base: 2, sm: 4 }}>
              {timeouts.map((name) => (
                <NumberInput
                  key={name}
                  label={t(`channels.timeouts.${name}`)}
                  description={t('channels.seconds')}
                  min={0.1}
                  hideControls
                  {...form.getInputProps(`timeouts.${name}`)}
                  value={limits[name] ?? ''}
                />
              ))}
            </SimpleGrid>
            <Textarea
              label={t('channels.headers')}
              description={t('channels.headersHint')}
              placeholder={'{"x-title": "my site", "x-key": "{api_key}"}'}
              autosize
              minRows={2}
              spellCheck={false}
              styles={mono}
              {...form.getInputProps('headers')}
            />
            <Textarea
              label={t('channels.body')}
              description={t('channels.bodyHint')}
              placeholder={'{"set": {"temperature": 0.2}, "default": {}, "delete": ["user"]}'}
              autosize
              minRows={2}
              spellCheck={false}
              styles={mono}
              {...form.getInputProps('body')}
            />
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  )
}
