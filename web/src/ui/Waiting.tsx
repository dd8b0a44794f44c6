import { Loader } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** What stands where an answer is awaited. A name is heard only from an element with a role. */
export function Waiting() {
  const { t } = useTranslation()
  return <Loader role="status" aria-label={t('common.wait')} />
}
