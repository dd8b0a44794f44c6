import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './splash.css'

const start = () => void import('./start')

// The logo of the page itself is drawn before a slow processor is busy with the rest for a second.
if (document.hidden) start()
else requestAnimationFrame(() => setTimeout(start))
