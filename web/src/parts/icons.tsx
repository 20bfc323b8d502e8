/** The page's few pictures, drawn in the colour of the text around them. */

export const Wave = () => (
  <svg class="icon wave" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 9.5v5M7.5 6v12M12 2.5v19M16.5 7v10M21 10v4" />
  </svg>
)

export const PlayIcon = () => (
  <svg class="icon filled" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M8 5.2v13.6L19 12z" />
  </svg>
)

export const PauseIcon = () => (
  <svg class="icon filled" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" />
  </svg>
)

export const DownloadIcon = () => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14" />
  </svg>
)

export const LinkIcon = () => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1" />
  </svg>
)

export const DeleteIcon = () => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7" />
  </svg>
)

export const MicrophoneIcon = () => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5zM6.5 11.5a5.5 5.5 0 0 0 11 0M12 17v3.5" />
  </svg>
)
