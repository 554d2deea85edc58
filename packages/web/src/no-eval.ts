import * as z from 'zod';

// zod would try whether it may make functions of text, which the page's policy reports as an attack.
z.config({ jitless: true });
