// Served as /sw.js by portal.web_app, which puts SETTINGS before it: `isOn`, `cache` (a name that
// changes with every file), `files` and, among them, `offline`.
//
// Kept are the page for being offline and the files it shows, nothing else: no page of a person,
// no answer of the API, nothing that was posted. Whoever logs out leaves nothing here.
"use strict";

const PREFIX = "portal-";
const kept = new Set(SETTINGS.files);

async function keepFiles() {
  const cache = await caches.open(SETTINGS.cache);
  // Without cookies: what is kept is what everybody gets.
  await cache.addAll(
    SETTINGS.files.map((file) => new Request(file, { cache: "reload", credentials: "omit" })),
  );
}

async function forgetCaches(keep) {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== keep);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function takeOver() {
  await forgetCaches(SETTINGS.isOn ? SETTINGS.cache : null);
  if (!SETTINGS.isOn) {
    await self.registration.unregister();
    return;
  }
  // The page is asked for while the worker is still starting.
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

async function openPage(event) {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch {
    return findKept(SETTINGS.offline);
  }
}

async function fetchFile(request) {
  try {
    return await fetch(request);
  } catch {
    return findKept(request);
  }
}

async function findKept(request) {
  const cache = await caches.open(SETTINGS.cache);
  return (await cache.match(request)) || Response.error();
}

self.addEventListener("install", (event) => {
  event.waitUntil((SETTINGS.isOn ? keepFiles() : Promise.resolve()).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const address = new URL(url);
  if (!SETTINGS.isOn || method !== "GET" || address.origin !== self.location.origin) {
    return;
  }
  if (mode === "navigate") {
    event.respondWith(openPage(event));
  } else if (kept.has(address.pathname)) {
    event.respondWith(fetchFile(event.request));
  }
});
