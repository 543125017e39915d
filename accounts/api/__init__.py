"""The app's way in, and the ground on which every address of the API stands."""
