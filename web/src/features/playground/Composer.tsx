import { ActionIcon, Button, CloseButton, FileButton, Group, Image, Textarea } from '@mantine/core'
import { IconPhotoPlus, IconPlayerStop, IconSend } from '@tabler/icons-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'

import { focusFirst } from '../../ui/focus'
import classes from './playground.module.css'
import type { Turn } from './protocols'

interface Props {
  draft: Turn
  change: (to: (was: Turn) => Turn) => void
  ready: boolean
  running: boolean
  send: () => void
  stop: () => void
}

const PICTURES = 'image/png,image/jpeg,image/webp,image/gif'

export function Composer({ draft, change, ready, running, send, stop }: Props) {
  const { t } = useTranslation()
  const reset = useRef<() => void>(null)
  const sendable = ready && !running && (draft.text.trim() !== '' || draft.images.length > 0)
  const add = (files: Iterable<File>) => {
    for (const file of files)
      if (file.type.startsWith('image/'))
        void read(file).then((image) => change((was) => ({ ...was, images: [...was.images, image] })))
    reset.current?.()
  }
  return (
    <form
      ref={focusFirst}
      className={classes.box}
      onSubmit={(event) => {
        event.preventDefault()
        if (sendable) send()
      }}
    >
      {draft.images.length > 0 && (
        <Group gap="xs" p={6}>
          {draft.images.map((image, n) => (
            <Group key={image} gap={0} align="flex-start" wrap="nowrap">
              <Image src={image} alt={t('playground.image')} h={64} w="auto" radius="sm" />
              <CloseButton
                size="sm"
                aria-label={t('playground.removeImage')}
                onClick={() => change((was) => ({ ...was, images: was.images.filter((_, at) => at !== n) }))}
              />
            </Group>
          ))}
        </Group>
      )}
      <Textarea
        aria-label={t('playground.prompt')}
        placeholder={t('playground.promptHint')}
        variant="unstyled"
        px={6}
        data-autofocus
        value={draft.text}
        onChange={(event) => {
          const text = event.currentTarget.value
          change((was) => ({ ...was, text }))
        }}
        onKeyDown={(event) => {
          // Enter also ends the choice of an input method.
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          if (sendable) send()
        }}
        onPaste={(event) => {
          add(event.clipboardData.files)
        }}
        autosize
        minRows={2}
        maxRows={12}
      />
      <Group justify="space-between">
        <FileButton onChange={add} accept={PICTURES} multiple resetRef={reset}>
          {(props) => (
            <ActionIcon {...props} variant="subtle" size="lg" aria-label={t('playground.addImage')} title={t('playground.addImage')}>
              <IconPhotoPlus size={20} />
            </ActionIcon>
          )}
        </FileButton>
        {running ? (
          <Button variant="default" leftSection={<IconPlayerStop size={18} aria-hidden />} onClick={stop}>
            {t('playground.stop')}
          </Button>
        ) : (
          <Button type="submit" disabled={!sendable} leftSection={<IconSend size={18} aria-hidden />}>
            {t('playground.send')}
          </Button>
        )}
      </Group>
    </form>
  )
}

const read = (file: File) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '')
    reader.onerror = () => reject(reader.error ?? new Error(file.name))
    reader.readAsDataURL(file)
  })
