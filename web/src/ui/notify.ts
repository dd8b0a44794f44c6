import { notifications } from '@mantine/notifications'

import { i18n } from '../i18n'

const closeButtonProps = () => ({ 'aria-label': i18n.t('common.close') })

export function tell(message: string) {
  notifications.show({ message, closeButtonProps: closeButtonProps() })
}

export function warn(message: string) {
  notifications.show({ message, color: 'red', role: 'alert', closeButtonProps: closeButtonProps() })
}
