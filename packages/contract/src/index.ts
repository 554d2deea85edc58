export * as api from './api/index.ts';
