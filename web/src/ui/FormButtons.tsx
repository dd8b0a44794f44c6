import { Button, Group } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** The end of a form that has a page of its own. */
export function FormButtons({ cancel, pending, word }: { cancel: () => void; pending: boolean; word?: string }) {
  const { t } = useTranslation()
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={cancel}>
        {t('common.cancel')}
      </Button>
      <Button type="submit" loading={pending}>
        {word ?? t('common.save')}
      </Button>
    </Group>
  )
}
