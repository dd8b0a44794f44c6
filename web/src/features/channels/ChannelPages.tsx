import { Card } from '@mantine/core'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { Channel } from '../../api/types'
import { Failure } from '../../ui/Failure'
import { Loaded } from '../../ui/Loaded'
import { tell } from '../../ui/notify'
import { Page } from '../../ui/Page'
import { Waiting } from '../../ui/Waiting'
import { useChannel, useModelsOfTypes, useProviders } from './api'
import { ChannelForm } from './ChannelForm'

export function NewChannelPage() {
  const { t } = useTranslation()
  return (
    <Page title={t('channels.add')}>
      <Form channel={null} />
    </Page>
  )
}

export function ChannelPage() {
  const { t } = useTranslation()
  const { id } = useParams({ from: '/channel/edit/$id' })
  const channel = useChannel(Number(id) || 0)
  return (
    <Page title={t('channels.edit')} intro={channel.data && `#${channel.data.id} · ${channel.data.name}`}>
      <Loaded query={channel}>{(found) => <Form channel={found} />}</Loaded>
    </Page>
  )
}

function Form({ channel }: { channel: Channel | null }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const leave = () => void navigate({ to: '/channel' })
  const types = useProviders()
  const models = useModelsOfTypes()
  if (types.isError) return <Failure error={types.error} retry={types.refetch} />
  if (types.isPending || models.isPending) return <Waiting /> // a list that arrives later would undo what is typed
  return (
    <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={860}>
      <ChannelForm
        channel={channel}
        cancel={leave}
        done={() => {
          tell(t('common.saved'))
          leave()
        }}
      />
    </Card>
  )
}
