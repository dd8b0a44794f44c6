import DOMPurify from 'dompurify'
import { useMemo } from 'react'

/** HTML of an operator within the page: text, links and images, without scripts, styles and forms. */
export default function Sanitised({ html }: { html: string }) {
  const clean = useMemo(
    () => DOMPurify.sanitize(html, { FORBID_TAGS: ['style', 'form', 'input', 'button', 'textarea', 'select'] }),
    [html],
  )
  return <div dangerouslySetInnerHTML={{ __html: clean }} />
}
