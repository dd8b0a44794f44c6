import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const gateway = 'http://127.0.0.1:3000'

export default defineConfig({
  plugins: [react()],
  build: { outDir: '../src/one_api/console', emptyOutDir: true, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': gateway, '/v1': gateway } },
})
