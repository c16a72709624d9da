"""Shows which frames and sounds made the verdict: Grad-CAM, saliency, report."""
