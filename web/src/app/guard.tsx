import { Navigate } from '@tanstack/react-router'
import type { ComponentType, ReactNode } from 'react'

import { ROOT } from '../api/types'
import { Private, useSession } from './session'

/** The page for those who are logged in; others come back to it after the login. */
export const forUsers = (Page: ComponentType) =>
  function ForUsers() {
    return (
      <Private>
        <Page />
      </Private>
    )
  }

export const forAdmins = (Page: ComponentType) =>
  function ForAdmins() {
    return (
      <Private admin>
        <Page />
      </Private>
    )
  }

export const forRoots = (Page: ComponentType) =>
  function ForRoots() {
    return (
      <Private admin>
        <Roots>
          <Page />
        </Roots>
      </Private>
    )
  }

function Roots({ children }: { children: ReactNode }) {
  return (useSession().data?.role ?? 0) >= ROOT ? children : <Navigate to="/" />
}
