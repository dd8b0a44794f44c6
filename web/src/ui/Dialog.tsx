import { Modal, type ModalProps } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** A modal whose close button has a name. Focus is kept inside and comes back afterwards. */
export function Dialog(props: ModalProps) {
  const { t } = useTranslation()
  return <Modal styles={{ title: { fontWeight: 600, fontSize: 'var(--mantine-font-size-lg)' } }} closeButtonProps={{ 'aria-label': t('common.close') }} {...props} />
}
