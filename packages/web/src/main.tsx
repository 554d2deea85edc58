import '@mantine/core/styles.css';
import './theme/theme.css';
import './no-eval.ts';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client.ts';
import { nonce } from './nonce.ts';
import { Loading } from './parts/states.tsx';
import { router } from './router.tsx';
import { SignedIn } from './session/signed-in.tsx';
import { Boundary } from './shell/boundary.tsx';
import { cssVariables, theme } from './theme/theme.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no place for the dashboard.');

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <Boundary>
          <Suspense fallback={<Loading />}>
            <SignedIn>
              <RouterProvider router={router} />
            </SignedIn>
          </Suspense>
        </Boundary>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
