/** Shows the page. */
import { render } from 'preact'
import { Page } from './parts/page.tsx'
import './style/page.css'

const root = document.getElementById('app')
if (root !== null) render(<Page />, root)
