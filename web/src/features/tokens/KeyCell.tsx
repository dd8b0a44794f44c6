import { ActionIcon, Code, Group } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Token } from '../../api/types'
import { CopyIcon } from '../../ui/copy'

/** A key is covered until it is asked for; copying it does not show it. */
export function KeyCell({ token }: { token: Token }) {
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  const key = `sk-${token.key}`
  return (
    <Group gap={2} wrap="nowrap">
      <Code style={shown ? { overflowWrap: 'anywhere' } : { whiteSpace: 'nowrap' }}>
        {shown ? key : `${key.slice(0, 6)}…${key.slice(-4)}`}
      </Code>
      <ActionIcon
        variant="subtle"
        aria-pressed={shown}
        aria-label={t('tokens.reveal', { name: token.name })}
        onClick={() => setShown(!shown)}
      >
        {shown ? <IconEyeOff size={18} /> : <IconEye size={18} />}
      </ActionIcon>
      <CopyIcon text={key} label={t('tokens.copy', { name: token.name })} />
    </Group>
  )
}
