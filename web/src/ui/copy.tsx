import { ActionIcon, Button, type ActionIconProps, type ButtonProps } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'

/** Also where the page is not served over TLS, and browsers keep the clipboard from it. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text)
    return
  }
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else works without TLS
  document.execCommand('copy')
  area.remove()
}

function useCopy(text: string) {
  const [copied, setCopied] = useState(false)
  const timer = useRef<number>(undefined)
  useEffect(() => () => window.clearTimeout(timer.current), [])
  const copy = () => {
    void copyText(text).then(() => {
      setCopied(true)
      window.clearTimeout(timer.current)
      timer.current = window.setTimeout(() => setCopied(false), 1500)
    })
  }
  return { copied, copy }
}

/** Says by its icon for a moment that it was done. */
export function CopyIcon({ text, label, ...props }: ActionIconProps & { text: string; label: string }) {
  const { copied, copy } = useCopy(text)
  return (
    <ActionIcon variant="subtle" aria-label={label} title={label} {...props} onClick={copy}>
      {copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
    </ActionIcon>
  )
}

export function CopyButton({ text, label, ...props }: ButtonProps & { text: string; label: string }) {
  const { copied, copy } = useCopy(text)
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
      {...props}
      onClick={copy}
    >
      {label}
    </Button>
  )
}
