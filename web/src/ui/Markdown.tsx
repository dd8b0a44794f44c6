import ReactMarkdown, { type Components } from 'react-markdown'
import gfm from 'remark-gfm'

import classes from './Markdown.module.css'

const plugins = [gfm]

const trusted: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  ),
  pre: ({ children }) => (
    // A wide block is scrolled by keyboard too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre tabIndex={0}>{children}</pre>
  ),
}

/** A model's text may come from anybody: an image in it is a link, for its address could carry what was said. */
const foreign: Components = {
  ...trusted,
  img: ({ src, alt }) => {
    const address = typeof src === 'string' ? src : ''
    return address.startsWith('data:image/') ? (
      <img src={address} alt={alt ?? ''} />
    ) : (
      <a href={address} target="_blank" rel="noreferrer">
        {alt || address}
      </a>
    )
  },
}

/** Markdown without HTML. Load it lazily. */
export default function Markdown({ text, from = 'operator' }: { text: string; from?: 'operator' | 'model' }) {
  return (
    <div className={classes.markdown}>
      <ReactMarkdown remarkPlugins={plugins} components={from === 'model' ? foreign : trusted}>
        {text}
      </ReactMarkdown>
    </div>
  )
}
