import { Alert, Button, Card, Group, NumberInput, Stack, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useClipboard } from '@mantine/hooks'
import { IconCopy, IconDownload } from '@tabler/icons-react'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { Redemption } from '../../api/types'
import { FormButtons } from '../../ui/FormButtons'
import { Loaded } from '../../ui/Loaded'
import { tell } from '../../ui/notify'
import { focusFirst } from '../../ui/focus'
import { Page } from '../../ui/Page'
import { QuotaInput } from '../../ui/QuotaInput'
import { useCode, useMakeCodes, useSaveCode } from './api'

const MOST = 100 // at once, as the gateway allows
const LONGEST = 20 // bytes of a name

export function NewCodesPage() {
  const { t } = useTranslation()
  const leave = useLeave()
  const make = useMakeCodes()
  const rules = useRules()
  const form = useForm({
    initialValues: { name: '', quota: 100_000 as number | string, count: 1 as number | string },
    validate: {
      ...rules,
      count: (count) => (Number(count) >= 1 && Number(count) <= MOST ? null : t('redemptions.countHint')),
    },
  })
  if (make.data) return <Made name={make.variables.name} codes={make.data} leave={leave} />
  return (
    <Page title={t('redemptions.add')}>
      <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={560}>
        <form
          ref={focusFirst}
          noValidate
          onSubmit={form.onSubmit(({ name, quota, count }) =>
            make.mutate({ name: name.trim(), quota: Number(quota), count: Number(count) }),
          )}
        >
          <Stack>
            <TextInput
              label={t('common.name')}
              description={t('redemptions.nameHint')}
              required
              data-autofocus
              {...form.getInputProps('name')}
            />
            <QuotaInput label={t('redemptions.quota')} min={1} required {...form.getInputProps('quota')} />
            <NumberInput
              label={t('redemptions.count')}
              description={t('redemptions.countHint')}
              min={1}
              max={MOST}
              allowDecimal={false}
              {...form.getInputProps('count')}
            />
            <FormButtons cancel={leave} pending={make.isPending} word={t('redemptions.make')} />
          </Stack>
        </form>
      </Card>
    </Page>
  )
}

/** The new codes, to be taken along. */
function Made({ name, codes, leave }: { name: string; codes: string[]; leave: () => void }) {
  const { t } = useTranslation()
  const clipboard = useClipboard()
  const text = codes.join('\n')
  const save = () => {
    const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }))
    const link = Object.assign(document.createElement('a'), { href: url, download: `${name}.txt` })
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <Page title={t('redemptions.made', { count: codes.length })}>
      <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={560}>
        <Stack>
          <Alert variant="outline" color="teal" role="status">
            {t('redemptions.take')}
          </Alert>
          <Textarea
            label={t('redemptions.codes')}
            readOnly
            autosize
            maxRows={14}
            value={text}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          />
          <Group>
            <Button
              leftSection={<IconCopy size={16} aria-hidden />}
              onClick={() => {
                clipboard.copy(text)
                tell(t('redemptions.copied'))
              }}
            >
              {t('redemptions.copyAll')}
            </Button>
            <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={save}>
              {t('redemptions.download')}
            </Button>
            <Button variant="subtle" onClick={leave} ml="auto">
              {t('redemptions.toList')}
            </Button>
          </Group>
        </Stack>
      </Card>
    </Page>
  )
}

export function CodePage() {
  const { t } = useTranslation()
  const { id } = useParams({ from: '/redemption/edit/$id' })
  const code = useCode(Number(id) || 0)
  return (
    <Page title={t('redemptions.edit')} intro={code.data && `#${code.data.id} · ${code.data.name}`}>
      <Loaded query={code}>{(found) => <EditForm code={found} />}</Loaded>
    </Page>
  )
}

function EditForm({ code }: { code: Redemption }) {
  const { t } = useTranslation()
  const leave = useLeave()
  const save = useSaveCode()
  const rules = useRules()
  const form = useForm({ initialValues: { name: code.name, quota: code.quota as number | string }, validate: rules })
  return (
    <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={560}>
      <form
        ref={focusFirst}
        noValidate
        onSubmit={form.onSubmit(({ name, quota }) =>
          save.mutate(
            { id: code.id, name: name.trim(), quota: Number(quota) },
            {
              onSuccess: () => {
                tell(t('common.saved'))
                leave()
              },
            },
          ),
        )}
      >
        <Stack>
          <TextInput label={t('common.name')} required data-autofocus {...form.getInputProps('name')} />
          <QuotaInput label={t('redemptions.quota')} min={1} {...form.getInputProps('quota')} />
          <FormButtons cancel={leave} pending={save.isPending} />
        </Stack>
      </form>
    </Card>
  )
}

function useLeave() {
  const navigate = useNavigate()
  return () => void navigate({ to: '/redemption' })
}

function useRules() {
  const { t } = useTranslation()
  return {
    name: (name: string) => {
      const bytes = new TextEncoder().encode(name.trim()).length
      return bytes >= 1 && bytes <= LONGEST ? null : t('redemptions.nameHint')
    },
    quota: (quota: number | string) => (Number(quota) >= 1 ? null : t('common.required')),
  }
}
