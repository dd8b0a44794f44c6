import { Anchor, Stack, Text, VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { useStatus } from '../../app/session'
import classes from '../../ui/Prose.module.css'
import { Waiting } from '../../ui/Waiting'
import { address } from '../tokens/server'

/** The operator's chat application in a frame. */
export function ChatPage() {
  const { t } = useTranslation()
  const status = useStatus()
  if (status.isPending) return <Waiting />
  const link = address(status.data?.chat_link ?? '')
  return (
    <Stack flex={1}>
      <VisuallyHidden component="h1">{t('chat.title')}</VisuallyHidden>
      {link ? (
        <iframe className={classes.frame} src={link} title={t('chat.title')} allow="clipboard-write; microphone" />
      ) : (
        <Text c="dimmed" ta="center" my="xl">
          {t('chat.none')}{' '}
          <Anchor component={Link} to="/playground" underline="always">
            {t('playground.title')}
          </Anchor>
        </Text>
      )}
    </Stack>
  )
}
