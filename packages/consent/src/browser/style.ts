const LIGHT =
  '--bg:#fff;--fg:#171a21;--mute:#535b69;--line:#d9dde4;--soft:#f3f5f8;--accent:var(--habeas-accent,#1d4f91);--on:var(--habeas-on-accent,#fff);--off:#737b89;color-scheme:light!important';
const DARK =
  '--bg:#191c22;--fg:#eef0f4;--mute:#b3bac6;--line:#363c47;--soft:#232831;--accent:var(--habeas-accent-dark,#a5c8ff);--on:var(--habeas-on-accent-dark,#0b1a30);--off:#8b93a1;color-scheme:dark!important';

/**
 * The looks of banner and preference centre. A site sets `--habeas-accent`, `--habeas-on-accent`, `--habeas-font`, `--habeas-radius`; its other
 * styles change nothing, however general: what is important of a host stands above what a page says of it. Nor does the host change the
 * page: it takes no place in a `body` that is a grid. Lengths are of the font size that the person set, and not of the one of the
 * page's root element.
 */
export const STYLE = `
:host{all:initial!important;${LIGHT};display:block!important;position:fixed!important;z-index:2147483000!important;font:medium/1.5 var(--habeas-font,system-ui,sans-serif)!important}
@media(prefers-color-scheme:dark){:host(:not([data-theme=light])){${DARK}}}
:host([data-theme=dark]){${DARK}}
*{box-sizing:border-box;margin:0}
.banner,dialog{background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:var(--habeas-radius,14px);box-shadow:0 12px 40px #0000002e,0 2px 6px #0000001a}
.banner{position:fixed;inset-block-end:16px;inset-inline:16px;margin-inline:auto;max-width:65em;max-height:calc(100dvh - 32px);overflow:auto;padding:20px 24px;display:grid;grid-template-columns:1fr fit-content(45%);gap:8px 32px;align-items:center}
h2{font-size:1.125em;line-height:1.35;font-weight:650;outline:0}
h2+p{margin-block-start:4px}
p{color:var(--mute);font-size:.9375em}
h2,p,button,label,.row{overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:2px}
.actions{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}
.banner .actions{min-width:19em}
.more{grid-column:1/-1}
button{font:inherit;font-weight:600;font-size:.9375em;line-height:1.3;min-height:44px;padding:10px 12px;border-radius:calc(var(--habeas-radius,14px) - 4px);border:1px solid var(--accent);background:var(--accent);color:var(--on);cursor:pointer;text-wrap:balance}
button:hover{filter:brightness(1.08)}
button.more{background:0 0;color:var(--accent);border-color:var(--line)}
button.more:hover{background:var(--soft);filter:none}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
dialog{padding:0;width:min(40em,100vw - 24px);max-width:none;max-height:calc(100dvh - 24px);margin:auto;overflow:auto}
dialog[open]{display:flex;flex-direction:column}
dialog,ul{scroll-padding-block:12px}
dialog::backdrop{background:#0b0e1480}
.top{display:flex;gap:16px;align-items:flex-start;padding:20px 24px 12px}
.top>div{flex:1}
.top p{margin-block-start:6px}
button.close{flex:none;padding:0;width:44px;margin:-8px;margin-inline-end:-12px;font-size:1.4em;font-weight:400;border-color:transparent;background:0 0;color:var(--mute)}
ul{list-style:none;padding:0 24px;overflow:auto;flex:1;min-height:8em;border-block:1px solid var(--line)}
li+li{border-block-start:1px solid var(--line)}
label,.row{display:flex;gap:20px;align-items:center;padding-block:16px;cursor:pointer}
.row{cursor:auto}
label>span,.row>span:first-child{flex:1}
.name,.about{display:block;unicode-bidi:plaintext;text-align:left}
:host([dir=rtl]) :is(.name,.about){text-align:right}
.name{font-weight:600}
.about{color:var(--mute);font-size:.9375em}
.always{flex:none;max-width:40%;color:var(--mute);font-size:.875em}
input{appearance:none;flex:none;margin:0;width:46px;height:28px;border-radius:14px;background:var(--off);border:3px solid transparent;cursor:pointer;transition:background .15s}
input:before{content:"";display:block;width:22px;height:22px;border-radius:50%;background:var(--bg);transition:translate .15s}
input:checked{background:var(--accent)}
input:checked:before{translate:18px}
:host([dir=rtl]) input:checked:before{translate:-18px}
.end{padding:16px 24px}
.status{position:fixed;clip-path:inset(50%)}
.link{position:fixed;inset-block-end:16px;inset-inline-start:16px;background:var(--bg);color:var(--fg);border-color:var(--line);border-radius:22px;padding-inline:18px;max-width:calc(100vw - 32px);font-size:.875em;box-shadow:0 2px 10px #00000026}
.link:hover{background:var(--soft);filter:none}
[hidden]{display:none!important}
@media(max-width:51em){.banner{grid-template-columns:1fr;padding:18px;inset-inline:12px;inset-block-end:12px;gap:14px}.banner .actions{min-width:0}.top,.end{padding-inline:18px}ul{padding-inline:18px}}
@media(min-width:31em){dialog .actions{grid-template-columns:repeat(3,minmax(0,1fr))}dialog .more{grid-column:auto}}
@media(max-height:30em){.banner{max-height:calc(100dvh - 96px)}ul{flex:none;overflow:visible}}
@media(prefers-reduced-motion:reduce){*,:before{transition:none!important}}
@media(forced-colors:active){input{border:2px solid ButtonText;forced-color-adjust:none;background:ButtonFace}input:before{background:ButtonText}input:checked{background:Highlight}input:checked:before{background:HighlightText}input:focus-visible{outline-color:Highlight}}
@media print{:host{display:none!important}}
`;
