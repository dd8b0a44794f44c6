import DOMPurify from 'dompurify'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { useMemo } from 'react'

import classes from './Prose.module.css'

const colours = { light: '#fff; color: #000', dark: '#242424; color: #c9c9c9' }

/** HTML, also among Markdown, in a frame where nothing runs and from where nothing reaches the console. */
export default function HtmlFrame({ html, title, scheme }: { html: string; title: string; scheme: 'light' | 'dark' }) {
  const page = useMemo(() => {
    const made = micromark(html, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
    const style = `:root { color-scheme: ${scheme}; background: ${colours[scheme]} } body { font: 16px/1.6 system-ui, sans-serif; margin: 0 } img { max-width: 100% }`
    // A style at the beginning would be dropped without something before it.
    const clean = DOMPurify.sanitize(`<br hidden>${made}`, { ADD_TAGS: ['style'], FORBID_TAGS: ['form', 'input', 'button'] })
    return `<!doctype html><base target="_blank"><style>${style}</style>${clean}`
  }, [html, scheme])
  return (
    <iframe
      className={classes.frame}
      title={title}
      sandbox="allow-popups allow-popups-to-escape-sandbox"
      srcDoc={page}
      referrerPolicy="no-referrer"
    />
  )
}
