import { Box, Code } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { CopyIcon } from './copy'

/** Something to be copied into a terminal or a program. */
export function Snippet({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation()
  return (
    <Box pos="relative">
      <Code
        block
        tabIndex={0}
        role="region"
        aria-label={label}
        // The button stands on what is scrolled, not on the text.
        style={{ overflowX: 'auto', whiteSpace: 'pre', borderRight: '42px solid transparent', backgroundClip: 'border-box' }}
        p="sm"
        lh={1.55}
      >
        {text}
      </Code>
      <CopyIcon text={text} label={t('common.copyOf', { name: label })} variant="default" pos="absolute" top={6} right={6} />
    </Box>
  )
}
