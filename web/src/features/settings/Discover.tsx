import { Button, Group, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import type { OptionKey } from '../../api/types'
import { tell } from '../../ui/notify'
import { useDiscovery } from './api'

interface Props {
  /** Of the provider's configuration, as it stands in the form. */
  address: string
  fill: (values: Partial<Record<OptionKey, string>>) => void
}

/** Fills in the endpoints that a provider of OpenID Connect names in its configuration. */
export function Discover({ address, fill }: Props) {
  const { t } = useTranslation()
  const discovery = useDiscovery()
  const read = () =>
    discovery.mutate(address.trim(), {
      onSuccess: (found) => {
        fill({
          OidcAuthorizationEndpoint: found.authorization_endpoint,
          OidcTokenEndpoint: found.token_endpoint,
          OidcUserinfoEndpoint: found.userinfo_endpoint,
        })
        tell(t('settings.discovered', { issuer: found.issuer }))
      },
    })
  return (
    <Group gap="sm">
      <Button variant="default" loading={discovery.isPending} disabled={!address.trim()} onClick={read}>
        {t('settings.discover')}
      </Button>
      <Text size="xs" c="dimmed" flex="1 1 220px">
        {t('settings.discoverHint')}
      </Text>
    </Group>
  )
}
