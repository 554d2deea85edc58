/** Pages whose marked snippets stories.test.ts runs, one after the other in one small company. */
export const TOLD = [
  'README.md',
  'docs/connect-a-service.md',
  'docs/requests.md',
  'docs/verify.md',
  'docs/api.md',
  'docs/operate.md',
  'docs/sign-in.md',
] as const;
