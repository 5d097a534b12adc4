// The wall shows itself anew each minute, but not while somebody goes through it with the keyboard.
"use strict";

setInterval(() => {
  if (document.activeElement === document.body) location.reload();
}, 60000);
