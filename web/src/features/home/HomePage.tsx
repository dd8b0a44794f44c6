import { Alert, Box, Stack, VisuallyHidden } from '@mantine/core'
import { IconSpeakerphone } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { isRoot, useSession, useStatus } from '../../app/session'
import { Failure } from '../../ui/Failure'
import { Prose } from '../../ui/Prose'
import { Waiting } from '../../ui/Waiting'
import { useHomePage, useNotice } from './api'
import { Checklist } from './Checklist'
import { Overview } from './Overview'
import { Welcome } from './Welcome'

const Markdown = lazy(() => import('../../ui/Markdown'))

export function HomePage() {
  const { t } = useTranslation()
  const status = useStatus()
  const session = useSession()
  const own = useHomePage()
  if (own.isPending || session.isPending) return <Waiting />
  const content = own.data?.trim()
  return (
    <Stack gap="lg" flex={1} maw={content ? undefined : 1180} w="100%" mx="auto">
      {status.isError && <Failure error={new Error(t('home.offline'))} retry={status.refetch} />}
      <Notice />
      {isRoot(session.data) && <Checklist />}
      {content ? (
        <>
          <VisuallyHidden component="h1">{status.data?.system_name}</VisuallyHidden>
          <Prose text={content} title={t('home.title')} />
        </>
      ) : session.data ? (
        <Overview user={session.data} />
      ) : (
        <Welcome />
      )}
    </Stack>
  )
}

const READ = 'notice' // One API's consoles keep it there too

/** A notice is shown until it has been read; a new text is a new notice. */
function Notice() {
  const { t } = useTranslation()
  const notice = useNotice().data?.trim()
  const [read, setRead] = useState(() => localStorage.getItem(READ))
  if (!notice || notice === read) return null
  return (
    <Alert
      variant="outline"
      color="yellow"
      title={t('home.notice')}
      icon={<IconSpeakerphone aria-hidden />}
      withCloseButton
      closeButtonLabel={t('common.close')}
      onClose={() => {
        localStorage.setItem(READ, notice)
        setRead(notice)
      }}
      styles={{ title: { color: 'var(--mantine-color-text)' }, closeButton: { color: 'var(--mantine-color-text)' } }}
    >
      <Suspense fallback={<Box h={24} />}>
        <Markdown text={notice} />
      </Suspense>
    </Alert>
  )
}
