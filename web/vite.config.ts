import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const gateway = 'http://127.0.0.1:3000'

export default defineConfig({
  plugins: [react()],
  // Else `light-dark()` is rewritten into something that needs a `color-scheme` in the same file.
  build: { cssTarget: ['chrome123', 'firefox120', 'safari17.5'], outDir: '../src/one_api/console', emptyOutDir: true, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': gateway, '/v1': gateway } },
})
