import { useComputedColorScheme } from '@mantine/core'
import { lazy, Suspense } from 'react'

import classes from './Prose.module.css'
import { Waiting } from './Waiting'

const Markdown = lazy(() => import('./Markdown'))
const HtmlFrame = lazy(() => import('./HtmlFrame'))

const ADDRESS = /^https?:\/\/\S+$/
const HTML = /<[a-z!/][^>]*>/i

/** A text of the operator as One API takes it: the address of a page, HTML, or Markdown. */
export function Prose({ text, title }: { text: string; title: string }) {
  const scheme = useComputedColorScheme('light')
  if (ADDRESS.test(text.trim()))
    return <iframe className={classes.frame} src={text.trim()} title={title} referrerPolicy="no-referrer" />
  return (
    <Suspense fallback={<Waiting />}>
      {HTML.test(text) ? <HtmlFrame html={text} title={title} scheme={scheme} /> : <Markdown text={text} />}
    </Suspense>
  )
}
