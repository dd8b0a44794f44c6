import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import { useStatus } from './session'
import classes from './Shell.module.css'

const Sanitised = lazy(() => import('../ui/Sanitised'))

/** The operator's own line, or one that says what this is. */
export function Footer() {
  const { t } = useTranslation()
  const status = useStatus().data
  if (!status) return null
  return (
    <footer className={classes.footer}>
      {status.footer_html ? (
        <Suspense fallback={null}>
          <Sanitised html={status.footer_html} />
        </Suspense>
      ) : (
        <Text inherit>
          {status.system_name} {status.version} ·{' '}
          <Anchor component={Link} to="/about" underline="always" inherit c="inherit">
            {t('about.title')}
          </Anchor>{' '}
          ·{' '}
          <Anchor href="/api/docs" underline="always" inherit c="inherit">
            {t('app.docs')}
          </Anchor>
        </Text>
      )}
    </footer>
  )
}
