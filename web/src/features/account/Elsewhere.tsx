import { Button, Divider, Image, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconBrandGithub, IconBrandWechat, IconFeather, IconId } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { get } from '../../api/client'
import type { Status } from '../../api/types'
import { useStatus } from '../../app/session'
import { Dialog } from '../../ui/Dialog'
import { useDepart } from './api'

const providers = [
  { name: 'github', icon: IconBrandGithub, offered: (status: Status) => status.github_oauth },
  { name: 'oidc', icon: IconId, offered: (status: Status) => status.oidc },
  { name: 'lark', icon: IconFeather, offered: (status: Status) => status.lark_client_id !== '' },
] as const

export const offered = (status: Status | undefined) =>
  status ? providers.filter((provider) => provider.offered(status)) : []

/** Signing in with an account somewhere else. */
export function Elsewhere({ done }: { done: () => void }) {
  const { t } = useTranslation()
  const status = useStatus().data
  const depart = useDepart()
  const [opened, wechat] = useDisclosure()
  const found = offered(status)
  if (found.length === 0 && !status?.wechat_login) return null
  return (
    <>
      <Divider label={t('account.elsewhere.or')} styles={{ label: { color: 'var(--mantine-color-dimmed)' } }} />
      <Stack gap="xs">
        {found.map(({ name, icon: Icon }) => (
          <Button
            key={name}
            variant="default"
            leftSection={<Icon size={18} aria-hidden />}
            loading={depart.isPending && depart.variables === name}
            onClick={() => depart.mutate(name)}
          >
            {t('account.elsewhere.with', { name: t(`account.elsewhere.${name}`) })}
          </Button>
        ))}
        {status?.wechat_login && (
          <Button variant="default" leftSection={<IconBrandWechat size={18} aria-hidden />} onClick={wechat.open}>
            {t('account.elsewhere.with', { name: t('account.elsewhere.wechat') })}
          </Button>
        )}
      </Stack>
      <WeChat opened={opened} close={wechat.close} path="/api/oauth/wechat" done={done} />
    </>
  )
}

/** The code comes in a chat with the operator's official account. */
export function WeChat({ opened, close, path, done }: { opened: boolean; close: () => void; path: string; done: () => void }) {
  const { t } = useTranslation()
  const image = useStatus().data?.wechat_qrcode
  const [code, setCode] = useState('')
  const send = useMutation({
    mutationFn: () => get(path, { code: code.trim() }),
    meta: { inline: true },
    onSuccess: () => {
      close()
      done()
    },
  })
  return (
    <Dialog opened={opened} onClose={close} title={t('account.elsewhere.wechat')} size="sm" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          send.mutate()
        }}
      >
        <Stack>
          {image && <Image src={image} alt={t('account.elsewhere.qr')} w={200} mx="auto" />}
          <Text size="sm">{t('account.elsewhere.wechatHint')}</Text>
          <TextInput
            label={t('account.code')}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            error={send.error?.message}
            autoComplete="one-time-code"
            data-autofocus
          />
          <Button type="submit" disabled={!code.trim()} loading={send.isPending}>
            {t('common.confirm')}
          </Button>
        </Stack>
      </form>
    </Dialog>
  )
}
